'use strict';
/*
 * Pulumi's runner loads TypeScript and ts-node for every pack, a third of a second, and this pack is JavaScript by the time
 * it runs. Preloaded by `nodeargs` in PulumiPolicy.yaml, this hands the runner stand-ins. Where it isn't preloaded, or the
 * runner has changed, nothing is lost but that time.
 */
const Module = require('node:module');
const path = require('node:path');

const standIns = {
  typescript: { version: '5.9.3' },
  'ts-node': { VERSION: '7.0.1', register: () => undefined },
};
const runner = [path.join('@pulumi', 'pulumi', 'tsutils.js'), path.join('run-policy-pack', 'run.js')];

const load = Module._load;
Module._load = function (request, parent, isMain) {
  if (runner.some(file => parent?.filename?.endsWith(file)))
    for (const [name, standIn] of Object.entries(standIns))
      // By its name, or as the copy that the SDK brings along (`…/vendor/ts-node@7.0.1`).
      if (request === name || request.includes(`${name}@`)) return standIn;
  return load.call(this, request, parent, isMain);
};
