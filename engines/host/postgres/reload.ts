import { HoldfastError } from '../../../core/errors';
import type { Session } from '../../engine';

/** Settings whose new value waits for a restart of the server. */
export async function pendingRestart(session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    'select name from pg_settings where pending_restart order by name',
  );
  return rows.map(row => row.name);
}

/**
 * Whether a file of its configuration was written after the server last read it: by somebody who was killed before the reload.
 * File times are cut to seconds, so one that it has read within the same second counts too.
 */
export async function hasUnreadFiles(session: Session): Promise<boolean> {
  const [row] = await session.query<{ unread: boolean | null }>(
    `select bool_or(modification + interval '1 s' > pg_conf_load_time()) as unread
       from (select sourcefile from pg_file_settings union select current_setting('hba_file')) as files (name),
            pg_stat_file(name, true)`,
  );
  return row?.unread === true;
}

const deadlineMilliseconds = 30_000;

/**
 * Makes the server read its configuration again, and waits until it has.
 * @throws HoldfastError `engine-failed` when it finds an error in it.
 */
export async function reload(session: Session): Promise<void> {
  const loadedAt = async (): Promise<string> => {
    const rows = await session.query<{ at: string }>('select pg_conf_load_time()::text as at');
    return rows[0]?.at ?? '';
  };
  const before = await loadedAt();
  await session.query('select pg_reload_conf()');
  const deadline = Date.now() + deadlineMilliseconds;
  // The server is only sent a signal: this session has read the files when its own load time changes.
  while ((await loadedAt()) === before) {
    if (Date.now() > deadline)
      throw new HoldfastError('engine-failed', 'the server did not read its configuration again', {
        hint: 'Its log says why.',
      });
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  const [wrong] = await session.query<{ line: number; error: string }>(
    'select line_number as line, error from pg_hba_file_rules where error is not null limit 1',
  );
  if (wrong !== undefined)
    throw new HoldfastError(
      'engine-failed',
      `line ${wrong.line} of pg_hba.conf is not accepted: ${wrong.error}`,
      { hint: 'The server goes on with the rules that it had.' },
    );
}
