#!/usr/bin/env node
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { bundle } = require('../scripts/bundle.cjs');
process.argv[1] = bundle().file;
require(process.argv[1]);
