import type { Drift } from '../../../core/host-documents';
import { readIfThere } from '../files';
import { accessLines, renderAccess } from '../postgres/access';
import { changedSettings, parseSettings, type Settings } from '../postgres/configuration-file';
import { managedSettings } from '../postgres/settings';
import { adoptedSettings } from './adopted-settings';
import { configurationFiles, settingsInFiles } from './configure';
import { pgBackRestConfiguration, type ProvisionContext } from './context';

const absent = '(not set)';

/**
 * What was changed by hand since it was applied, in the files that configure server and pgBackRest.
 * @param context with the specification that was applied last, not one that is about to be.
 * @param port where it was applied to listen.
 */
export async function fileDrift(
  context: Pick<ProvisionContext, 'specification' | 'paths' | 'superuser'>,
  port: number,
): Promise<Drift[]> {
  const settings =
    context.specification.settings.source.mode === 'managed'
      ? [...(await managedDrift(context, port)), ...(await accessDrift(context))]
      : await adoptedDrift(context);
  return [...settings, ...(await pgBackRestDrift(context, port))];
}

type DriftContext = Pick<ProvisionContext, 'specification' | 'paths' | 'superuser'>;

async function managedDrift({ specification, paths }: DriftContext, port: number): Promise<Drift[]> {
  return settingsDrift(
    managedSettings(specification, paths, port),
    await settingsInFiles(paths.dataDirectory),
  );
}

/** An adopted cluster's settings are its owner's, but for those that archive. */
async function adoptedDrift({ specification, paths }: DriftContext): Promise<Drift[]> {
  const file = configurationFiles(paths.dataDirectory).overrides;
  const found = parseSettings((await readIfThere(file)) ?? '');
  const wanted = adoptedSettings(specification, paths);
  const relevant = Object.keys(wanted).flatMap(name =>
    found[name] === undefined ? [] : [[name, found[name]] as const],
  );
  return settingsDrift(wanted, Object.fromEntries(relevant));
}

function settingsDrift(expected: Settings, found: Settings): Drift[] {
  return changedSettings(expected, found).map(name => ({
    what: `settings.${name}`,
    expected: expected[name] ?? absent,
    found: found[name] ?? absent,
  }));
}

async function accessDrift({ specification, paths, superuser }: DriftContext): Promise<Drift[]> {
  const expected = accessLines(renderAccess(specification, superuser));
  const text = await readIfThere(configurationFiles(paths.dataDirectory).access);
  const found = accessLines(text ?? '');
  if (JSON.stringify(expected) === JSON.stringify(found)) return [];
  const without = (lines: string[], others: string[]): string =>
    lines.filter(line => !others.includes(line)).join('; ') || 'the same lines in another order';
  return [{ what: 'pg_hba.conf', expected: without(expected, found), found: without(found, expected) }];
}

/** Names only: the values of that file can be secrets. */
async function pgBackRestDrift(context: DriftContext, port: number): Promise<Drift[]> {
  const expected = optionsOf(pgBackRestConfiguration(context, port));
  const text = await readIfThere(context.paths.configuration);
  if (text === null) return [{ what: 'pgbackrest.conf', expected: 'as applied', found: 'the file is gone' }];
  const names = changedSettings(expected, optionsOf(text));
  return names.length === 0
    ? []
    : [{ what: 'pgbackrest.conf', expected: 'as applied', found: `changed: ${names.join(', ')}` }];
}

/** Options of a pgBackRest configuration file, by `section/name`. */
function optionsOf(text: string): Settings {
  let section = '';
  const options: Record<string, string> = {};
  for (const line of text.split('\n').map(one => one.trim())) {
    const [, header] = /^\[(.*)\]$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    else if (line !== '' && !line.startsWith('#')) {
      const [name = '', ...value] = line.split('=');
      const key = `${section}/${name.trim()}`;
      // An option can be there more than once, as a list.
      options[key] = [options[key], value.join('=').trim()].filter(one => one !== undefined).join('\n');
    }
  }
  return options;
}
