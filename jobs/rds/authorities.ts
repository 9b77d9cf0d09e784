import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import type { RdsSettings } from '../../core/settings/rds';

/**
 * The file with the certificate authorities of RDS, for a program that has none of its own.
 * @throws HoldfastError `configuration` when none is named.
 */
export function authoritiesFile(
  { certificateAuthorities, instance }: Pick<RdsSettings, 'certificateAuthorities' | 'instance'>,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const file = certificateAuthorities ?? env.NODE_EXTRA_CA_CERTS;
  if (file !== undefined && file !== '') return path.resolve(file);
  throw new HoldfastError(
    'configuration',
    `databases of ${instance} can’t be managed: no file says which certificate authorities to trust`,
    {
      hint: 'Download global-bundle.pem of RDS, and name it in NODE_EXTRA_CA_CERTS, or in certificateAuthorities: docs/aws.md, “Databases and roles”.',
    },
  );
}
