import { credentialPath } from '../names';
import { arn, type Statement } from './document';
import type { Subject } from './evidence';
import { useOfKeys } from './keys';

/**
 * What managing the databases inside an instance takes beside all else: the passwords of their roles, and the master user's. A
 * preview reads both, to tell what differs; only an update makes passwords.
 * @param keys ARNs of the KMS keys of the master secret
 */
export function catalogStatements(subject: Subject, keys: readonly string[]): Statement[] {
  const { cluster, instance, region } = subject;
  const passwords = ['', '/*'].map(below =>
    arn(subject, 'ssm', `parameter${credentialPath(cluster, '').replace(/\/$/, below)}`),
  );
  return [
    { sid: 'ReadPasswords', actions: ['ssm:GetParametersByPath'], resources: passwords },
    { sid: 'MakePasswords', actions: ['ssm:PutParameter'], resources: passwords },
    {
      sid: 'ReadTheMasterSecret',
      actions: ['secretsmanager:GetSecretValue'],
      resources: [arn(subject, 'secretsmanager', 'secret:rds!db-*')],
      conditions: {
        StringEquals: {
          'aws:ResourceTag/aws:rds:primaryDBInstanceArn': arn(subject, 'rds', `db:${instance}`),
        },
      },
    },
    ...useOfKeys(keys, [`secretsmanager.${region}.amazonaws.com`]),
  ];
}
