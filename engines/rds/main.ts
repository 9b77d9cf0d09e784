/** What jobs use of this engine beyond the interface that it shares with the others. */
export { openRdsEngine } from './engine';
export { applyInstance, beginCluster, inspectInstance, keepDatabases, sealInstance } from './apply';
export { findSpecification, readSpecification } from './specification';
