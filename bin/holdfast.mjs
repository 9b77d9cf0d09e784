#!/usr/bin/env node
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { bundle } = require('../scripts/bundle.cjs');
// What is asked of AWS needs its SDK, which is left out of the program for machines.
const onAws = process.argv.some(word => /^--region(=|$)/.test(word));
process.argv[1] = bundle(onAws ? 'aws' : 'machine').file;
require(process.argv[1]);
