import type { Specification } from '../core/specification';
import type { Engine } from '../engines/engine';

/** A cluster that a job works on, opened on the machine where Holdfast looks after it. */
export interface Cluster {
  readonly name: string;
  readonly specification: Specification;
  /** Where its audit log and what its schedule remembers are. */
  readonly directory: string;
  readonly engine: Engine;
}
