import type { Evidence } from '../evidence';

/** What the same facts are called by each engine, in sentences that a person reads. */
export interface Words {
  /** What tells one cluster from another. */
  readonly identifier: string;
  /** The cluster that is there has this identifier. */
  readonly here: (identifier: string) => string;
  readonly backedUp: (identifier: string) => string;
  /** There is none, where it should be. */
  readonly nothingHere: string;
  readonly traces: string;
  /** What to do when it is the wrong one. */
  readonly rightOne: string;
  readonly clockRemedy: string;
  /** What keeps a change from being lost. */
  readonly archiving: string;
  readonly archivingRemedy: string;
  /** It works within the RPO. */
  readonly archived: (rpo: string) => string;
  readonly stopped: string;
  /** What the RPO is held against. */
  readonly oldest: string;
  readonly lateRemedy: string;
}

export const wordsOf: Readonly<Record<Evidence['engine'], Words>> = {
  host: {
    identifier: 'system identifier',
    here: identifier => `the data directory holds system identifier ${identifier}`,
    backedUp: identifier => `the repository holds backups of system identifier ${identifier}`,
    nothingHere: 'there is nothing where its data should be',
    traces: 'there is data or a stanza',
    rightOne:
      'nothing is changed until the right data is back: mount its disk, or correct dataDirectory or the repository; holdfast status tells more',
    clockRemedy: 'set the clock right (timedatectl tells whether it is synchronised)',
    archiving: 'WAL archiving',
    archivingRemedy: 'repair archiving; holdfast status tells when it works',
    archived: rpo =>
      `WAL is archived without a gap since the newest usable backup, and no change waits longer than the RPO of ${rpo}`,
    stopped: 'the server is stopped, so what of its WAL is not archived can’t be known',
    oldest: 'the oldest change that is not archived',
    lateRemedy: 'holdfast status tells what archiving waits for',
  },
  rds: {
    identifier: 'resource id',
    here: identifier => `the instance has the resource id ${identifier}`,
    backedUp: identifier => `the newest snapshot is of resource id ${identifier}`,
    nothingHere: 'there is no instance of its name',
    traces: 'there is an instance or a snapshot',
    rightOne:
      'nothing is changed until the right instance is back under its name: rename it, or correct the instance or the region in the settings; holdfast status tells more',
    clockRemedy: 'AWS’s own times contradict each other: try again in some minutes',
    archiving: 'point-in-time recovery',
    archivingRemedy:
      'see to the automated backups of the instance (its retention, its events); holdfast status tells when they work',
    archived: rpo => `point-in-time recovery works, and reaches to within the RPO of ${rpo}`,
    stopped: 'the instance doesn’t serve, so how far point-in-time recovery reaches can’t be known',
    oldest: 'the latest restorable time',
    lateRemedy:
      'RDS uploads WAL every five minutes; where it lags behind, the events of the instance tell why',
  },
};
