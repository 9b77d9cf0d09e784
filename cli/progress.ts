import { SingleBar } from 'cli-progress';
import type { Io } from './io';

interface Progress {
  readonly fraction: number | null;
  readonly step: string;
}

export interface ProgressDisplay {
  readonly report: (progress: Progress) => void;
  /** Clears the bar; what is printed afterwards stands alone. */
  readonly stop: () => void;
}

/** A bar with an estimate of the end on a terminal, else a line for every step and every tenth of it. */
export function createProgress(io: Io): ProgressDisplay {
  return io.terminal ? bar(io) : lines(io);
}

function bar(io: Io): ProgressDisplay {
  let drawn: SingleBar | undefined;
  const stop = () => {
    drawn?.stop();
    drawn = undefined;
  };
  return {
    stop,
    report: ({ fraction, step }) => {
      if (fraction === null) {
        stop();
        io.stderr.write(`${step}\n`);
        return;
      }
      if (drawn === undefined) {
        drawn = new SingleBar({
          stream: io.stderr,
          format: '{bar} {percentage} % | {step} | ends in {eta_formatted}',
          clearOnComplete: true,
          hideCursor: true,
          // Ctrl-C ends the job cleanly, and with it the bar; it must not end the process by itself.
          gracefulExit: false,
        });
        drawn.start(1000, 0, { step });
      }
      drawn.update(Math.round(Math.min(1, fraction) * 1000), { step });
    },
  };
}

function lines(io: Io): ProgressDisplay {
  let said = '';
  return {
    stop: () => undefined,
    report: ({ fraction, step }) => {
      const tenth = fraction === null ? null : Math.floor(Math.min(1, fraction) * 10) * 10;
      // What a step says of itself changes all the time while it advances; a line a tenth is enough of it.
      const key = tenth === null ? step : `${step.replaceAll(/[\d.]+/g, '')} ${tenth}`;
      if (key === said) return;
      said = key;
      io.stderr.write(tenth === null ? `${step}\n` : `${step} (${tenth} %)\n`);
    },
  };
}
