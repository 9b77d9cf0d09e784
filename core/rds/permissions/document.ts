/* Documents of IAM, made of plain values so that tests can read them action by action. */

export interface Statement {
  readonly sid: string;
  /** @default Allow */
  readonly effect?: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  /** `*` only for what AWS knows no resource of. */
  readonly resources: readonly string[];
  /** Operator, key, values: all have to hold. */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Where ARNs are. */
export interface Place {
  /** `aws`, `aws-cn`, `aws-us-gov` */
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

export const arn = ({ partition, account, region }: Place, service: string, resource: string): string =>
  `arn:${partition}:${service}:${region}:${account}:${resource}`;

/** The policy of a role, as JSON. */
export function policyDocument(statements: readonly Statement[]): string {
  return document(
    statements.map(({ sid, effect = 'Allow', actions, resources, conditions }) => ({
      Sid: sid,
      Effect: effect,
      Action: actions,
      Resource: resources,
      ...(conditions === undefined ? {} : { Condition: conditions }),
    })),
  );
}

/**
 * Who may become a role, as JSON: a service, and only on behalf of this account, so that nobody else has it act with our
 * rights (the confused deputy).
 */
export function trustDocument(service: string, { account }: Pick<Place, 'account'>): string {
  return document([
    {
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'aws:SourceAccount': account } },
    },
  ]);
}

/** What a topic lets the services of AWS publish that tell of this account's resources, as JSON. */
export function topicDocument(topic: string, { account }: Pick<Place, 'account'>): string {
  return document(
    ['cloudwatch.amazonaws.com', 'events.rds.amazonaws.com'].map(service => ({
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 'sns:Publish',
      Resource: topic,
      Condition: { StringEquals: { 'aws:SourceAccount': account } },
    })),
  );
}

const document = (statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
