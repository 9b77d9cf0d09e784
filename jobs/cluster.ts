import type { Specification } from '../core/specification';
import type { Engine } from '../engines/engine';

/** A cluster that a job works on, opened on the machine where Holdfast looks after it. */
export interface Cluster {
  readonly name: string;
  readonly specification: Specification;
  readonly engine: Engine;
}
