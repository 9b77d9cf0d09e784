import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { HoldfastError } from '../core/errors';

/**
 * Passphrase of the stacks' secrets in the embedded default, whose state lies in a directory that only its owner can
 * enter, where a random passphrase would have to lie beside it (docs/decisions/0001). Public, so worth nothing anywhere else.
 */
export const embeddedPassphrase = 'holdfast embedded default: the directory of the state is the secret';

/** The stacks of the embedded default, in the order in which they are updated. */
export const embeddedStacks = ['staging', 'prod'] as const;

/** Where data, state and logs are: `HOLDFAST_HOME`, else `/var/lib/holdfast` as root, else in the user's data directory. */
export function holdfastHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HOLDFAST_HOME !== undefined && env.HOLDFAST_HOME !== '') return path.resolve(env.HOLDFAST_HOME);
  if (process.getuid?.() === 0) return '/var/lib/holdfast';
  const data = env.XDG_DATA_HOME;
  return path.join(
    data !== undefined && path.isAbsolute(data) ? data : path.join(os.homedir(), '.local', 'share'),
    'holdfast',
  );
}

/** The file backend of the embedded default. */
export const stateDirectory = (home: string): string => path.join(home, 'pulumi');

/** What plain Pulumi needs to work on the stacks of the embedded default, gated; `holdfast env` prints it. */
export function embeddedEnvironment(place: {
  readonly home: string;
  readonly checkout: string;
  readonly pulumiHome: string;
}): Readonly<Record<string, string>> {
  return {
    HOLDFAST_HOME: place.home,
    PULUMI_HOME: place.pulumiHome,
    PULUMI_BACKEND_URL: pathToFileURL(stateDirectory(place.home)).href,
    PULUMI_CONFIG_PASSPHRASE: embeddedPassphrase,
    PULUMI_OPTION_POLICY_PACK: path.join(place.checkout, 'policy'),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
  };
}

/**
 * Refuses the public passphrase where it would protect nothing: with any other backend than the one of the embedded default.
 * @throws HoldfastError `configuration`
 */
export function refuseEmbeddedPassphraseElsewhere(env: NodeJS.ProcessEnv = process.env): void {
  if (env.PULUMI_CONFIG_PASSPHRASE !== embeddedPassphrase) return;
  const own = pathToFileURL(stateDirectory(holdfastHome(env))).href;
  if (env.PULUMI_BACKEND_URL === own) return;
  throw new HoldfastError(
    'configuration',
    `the secrets of this stack are encrypted with the public passphrase of the embedded default, but its state is in ${env.PULUMI_BACKEND_URL ?? 'a backend that `pulumi login` chose'}`,
    {
      hint: 'choose a passphrase or a key service of your own: pulumi stack change-secrets-provider passphrase',
    },
  );
}
