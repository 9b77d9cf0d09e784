import { Cron } from 'croner';

/** A time that recurs, in UTC. Instants are milliseconds since 1970. */
export interface CronTime {
  /** The first time after an instant. */
  readonly next: (after: number) => number;
  /** The newest time that is not after an instant. */
  readonly latest: (until: number) => number;
}

/**
 * Reads a time of five fields, as crontab(5) has them; where day of month and day of week are both named, one of them is enough.
 * @throws Error what is wrong with it, as a part of a sentence
 */
export function parseCron(text: string): CronTime {
  if (text.trim().split(/\s+/).length !== 5)
    throw new Error('five fields are needed (minute, hour, day of month, month, day of week)');
  const cron = read(text);
  const found = (time: Date | null | undefined): number => {
    if (!time) throw new Error('there is no such day');
    return time.getTime();
  };
  found(cron.nextRun(new Date(0)));
  return {
    next: after => found(cron.nextRun(new Date(after))),
    // It looks for times strictly before the one that it is given.
    latest: until => found(cron.previousRuns(1, new Date(until + 1))[0]),
  };
}

function read(text: string): Cron {
  try {
    // An offset of nothing is UTC just as its name is, without loading the database of time zones.
    return new Cron(text, { mode: '5-part', utcOffset: 0 });
  } catch (error) {
    // Without the value, which it counts from 0: of 13 months it would say 12. The caller quotes the whole text.
    const reason = (error as Error).message.replace(/^Cron\w+: /, '');
    throw new Error(reason.replace(/^(Invalid value for \w+).*/, '$1'), { cause: error });
  }
}
