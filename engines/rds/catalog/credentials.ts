import { paginateGetParametersByPath, PutParameterCommand } from '@aws-sdk/client-ssm';
import { HoldfastError } from '../../../core/errors';
import { providerRole, type RoleCredential } from '../../../core/host-documents';
import { credentialPath } from '../../../core/rds/names';
import { completed, credential, type Credentials } from '../../catalog/credentials';
import { list, text } from '../answers';
import type { RdsContext } from '../context';
import { alreadyExists, failed } from '../failure';

/*
 * The passwords of a cluster's roles: a secret parameter for each (SecureString), so that an application's role may be allowed to
 * read its own and no other. Once written, Holdfast never overwrites one.
 */

type Store = Pick<RdsContext, 'cluster' | 'ssm'>;

/**
 * The credentials of a cluster; null when none were made yet.
 * @throws HoldfastError `engine-failed` when one can't be understood: made anew it would lock out whoever has the old one.
 */
export async function readCredentials(context: Store): Promise<Credentials | null> {
  const prefix = credentialPath(context.cluster, '');
  const found: Record<string, RoleCredential> = {};
  try {
    const query = { Path: prefix, WithDecryption: true };
    for await (const page of paginateGetParametersByPath({ client: context.ssm }, query))
      for (const { Name, Value } of list(page.Parameters))
        found[text(Name).slice(prefix.length)] = parse(text(Name), text(Value));
  } catch (error) {
    throw failed(`reading the passwords below ${prefix}`, error);
  }
  const { [providerRole]: provider, ...roles } = found;
  return provider === undefined ? null : { provider, roles };
}

/** The credentials of a cluster, with those that are missing made and kept. */
export async function ensureCredentials(context: Store, logins: readonly string[]): Promise<Credentials> {
  const current = await readCredentials(context);
  const { provider, roles } = completed(current, logins);
  const missing = Object.entries(roles).filter(([role]) => current?.roles[role] === undefined);
  // That of the provider last: before it is there, none count as made.
  if (current === null) missing.push([providerRole, provider]);
  for (const [role, made] of missing) await create(context, role, made);
  if (missing.length === 0) return { provider, roles };
  // Where another update was faster, its passwords count.
  const kept = await readCredentials(context);
  if (kept !== null) return kept;
  throw new HoldfastError('engine-failed', 'the passwords that were just written aren’t there', {
    hint: 'Run `pulumi up` again.',
  });
}

async function create({ ssm, cluster }: Store, role: string, made: RoleCredential): Promise<void> {
  const Name = credentialPath(cluster, role);
  const Description = `Password of the role ${role} of cluster ${cluster}, and what the server keeps of it.`;
  try {
    await ssm.send(
      new PutParameterCommand({ Name, Description, Value: JSON.stringify(made), Type: 'SecureString' }),
    );
  } catch (error) {
    if (!alreadyExists(error)) throw failed(`writing ${Name}`, error);
  }
}

function parse(name: string, value: string): RoleCredential {
  try {
    return credential.parse(JSON.parse(value));
  } catch {
    // Without the cause: it could quote what it failed to parse.
    throw new HoldfastError('engine-failed', `the password in the parameter ${name} can’t be understood`, {
      hint: 'The history of the parameter has its earlier versions: put one back. Or delete it: the next `pulumi up` makes a new password, and the old one stops working.',
    });
  }
}
