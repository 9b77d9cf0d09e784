import type { Instant } from './evidence';

/** Where recovery stops. */
export type RecoveryTarget =
  | { readonly type: 'latest' }
  | { readonly type: 'time'; readonly at: Instant }
  | { readonly type: 'restore-point'; readonly name: string }
  /** As soon as the backup set is consistent; what a verification restores. */
  | { readonly type: 'backup-set'; readonly id: string };
