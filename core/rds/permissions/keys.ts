import type { Statement } from './document';

/**
 * What it takes to use KMS keys. None for what AWS's own keys encrypt: everybody of the account may use these through their
 * services.
 * @param via Services through which alone they are used; any when none is named.
 */
export function useOfKeys(keys: readonly string[], via: readonly string[]): Statement[] {
  if (keys.length === 0) return [];
  return [
    {
      sid: 'UseKeys',
      actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
      resources: keys,
      ...(via.length === 0 ? {} : { conditions: { StringEquals: { 'kms:ViaService': via } } }),
    },
  ];
}

/** The same, and to let RDS use them. */
export function keyStatements(keys: readonly string[], via: readonly string[] = []): Statement[] {
  if (keys.length === 0) return [];
  return [
    ...useOfKeys(keys, via),
    {
      sid: 'LetRdsUseKeys',
      actions: ['kms:CreateGrant'],
      resources: keys,
      conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    },
  ];
}
