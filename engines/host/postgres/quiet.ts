import type { Session } from '../../engine';

/** Runs a statement so that the server's log has nothing of its text, whatever it is set to log. */
export async function quietly(session: Session, sql: string): Promise<void> {
  await session.query('begin');
  try {
    for (const setting of [
      "log_statement = 'none'",
      "log_min_error_statement = 'panic'",
      'log_min_duration_statement = -1',
      'log_min_duration_sample = -1',
      'log_transaction_sample_rate = 0',
    ])
      await session.query(`set local ${setting}`);
    await session.query(sql);
    await session.query('commit');
  } catch (error) {
    await session.query('rollback');
    throw error;
  }
}
