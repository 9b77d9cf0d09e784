/* Names that the engine gives and the permissions of its role are made of. */

/** Tags of snapshots and clones, by what they say. */
export const tagKeys = {
  cluster: 'holdfast:cluster',
  change: 'holdfast:change',
  requestedBy: 'holdfast:requested-by',
  breakGlass: 'holdfast:break-glass',
  joined: 'holdfast:joined-for',
  expires: 'holdfast:expires',
  result: 'holdfast:verification',
  at: 'holdfast:verified-at',
  restoreSeconds: 'holdfast:restore-seconds',
  reason: 'holdfast:verification-reason',
  counts: 'holdfast:counts',
  cloneOf: 'holdfast:clone-of',
  purpose: 'holdfast:purpose',
  operation: 'holdfast:operation',
  begun: 'holdfast:begun',
  reached: 'holdfast:reached',
  snapshot: 'holdfast:snapshot',
  ready: 'holdfast:ready',
  replacedBy: 'holdfast:replaced-by',
} as const;

/** How the names of a cluster's own snapshots begin; a copy that another tool makes carries their tags, and another name. */
export const snapshotPrefix = (cluster: string): string => `hf-${cluster.replaceAll(/-+/g, '-')}-`;

/** How the names of clones begin, and with `aside` those of instances that a restore replaced: at most 63 characters in all. */
export const besidePrefix = (instance: string, what: 'hf' | 'aside'): string =>
  `${instance.slice(0, 38).replace(/-$/, '')}-${what}-`;

/** Where in the Parameter Store something of a cluster is. */
export const parameterPath = (cluster: string, name: string): string => `/holdfast/${cluster}/${name}`;

/**
 * Where the passwords of a cluster's roles are. Apart from all else: who may read what is remembered of a cluster (evidence, in
 * previews too) shall not read these.
 */
export const credentialPath = (cluster: string, role: string): string =>
  `/holdfast-credentials/${cluster}/${role}`;

/** What a cluster shall be; written by `pulumi up` alone. */
export const specificationParameter = 'specification';

/** A log group of a cluster: what the unattended jobs printed, and who did what. */
export const logGroupName = (cluster: string, what: 'run-due' | 'audit'): string =>
  `/holdfast/${cluster}/${what}`;

/** What the scheduler calls the Lambda with. */
export interface UnattendedCall {
  readonly command: 'run-due';
  readonly cluster: string;
}
