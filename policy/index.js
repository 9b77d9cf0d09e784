'use strict';
require(require('./build.cjs').builtPack()).main();
