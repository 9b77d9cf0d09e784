'use strict';
module.exports = async () => require(await require('./build.cjs').builtPack()).main();
