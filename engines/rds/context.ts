import type { Environment } from '../../core/settings/stack';
import type { RdsSettings } from '../../core/settings/rds';
import type { AwsClients } from './clients';
import type { AwsClock } from './clock';

/** A cluster on Amazon RDS: which it is, and how AWS is asked about it. */
export interface RdsContext extends AwsClients {
  readonly cluster: string;
  /** As it is configured; what counts is what was recorded first. */
  readonly environment: Environment;
  readonly settings: RdsSettings;
  readonly clock: AwsClock;
  /** Seconds between two looks at something that takes long. */
  readonly pollSeconds: number;
}
