import type { ClusterSettings, ConnectionSettings, SshConnection } from '../core/settings/stack';

/** Where Holdfast keeps what it knows of a cluster. */
export interface Where {
  /** Holdfast’s directory on this machine. */
  readonly home: string;
  /** The region of AWS whose Parameter Store has it, for a cluster on Amazon RDS; then `home` doesn’t count. */
  readonly region?: string | undefined;
}

/** Amazon Web Services, asked by a program on this machine with the credentials that it finds. */
export interface AwsPlace {
  readonly type: 'aws';
  readonly region: string;
}

/** Where a cluster is looked after: this machine, one over SSH, or AWS. */
export type Place = ConnectionSettings | AwsPlace;

/** Where the cluster of these settings is looked after. */
export function placeOf(settings: ClusterSettings): Place {
  return settings.engine === 'rds' ? { type: 'aws', region: settings.region } : settings.connection;
}

/** For a person: where a place is. */
export function describePlace(place: Place): string {
  switch (place.type) {
    case 'local':
      return 'this machine';
    case 'aws':
      return `AWS ${place.region}`;
    case 'ssh':
      return describeMachine(place);
  }
}

/** For a person: a machine over SSH. */
export function describeMachine({ user, host, port }: SshConnection): string {
  return `${user}@${host}${port === 22 ? '' : `:${port}`}`;
}
