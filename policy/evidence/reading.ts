import { formatDuration } from '../../core/durations';
import { HoldfastError } from '../../core/errors';
import type { Evidence, Instant, Problem } from '../../core/evidence';
import { judge, type Finding, type Judgement, type Limits } from '../../core/freshness';
import { secondsBetween } from '../../core/time';
import { parseEvidence } from './document';

/** What became of reading a cluster's evidence. */
export type Reading =
  | { readonly state: 'read'; readonly evidence: Evidence }
  /** Nothing is known: the machine can't be reached, or says something else than evidence. */
  | { readonly state: 'unreadable'; readonly problem: Problem }
  /** It is another cluster's. */
  | { readonly state: 'other'; readonly problem: Problem };

/** How old evidence may be, and how far the clocks of the cluster and of this machine may differ. */
export const maximumEvidenceAge = 600;

/** Reads the evidence of a cluster with `ask`; whatever goes wrong is the reading. */
export async function readWith(
  ask: () => Promise<unknown>,
  { cluster, now }: { readonly cluster: string; readonly now: () => Instant },
): Promise<Reading> {
  let evidence: Evidence;
  try {
    evidence = parseEvidence(await ask());
  } catch (error) {
    return { state: 'unreadable', problem: problemOf(error) };
  }
  if (evidence.cluster !== cluster)
    return {
      state: 'other',
      problem: {
        what: `the evidence is that of the cluster ${evidence.cluster}`,
        remedy: 'correct its connection, or its source in the pack’s configuration',
      },
    };
  return { state: 'read', evidence: withAge(evidence, now()) };
}

function problemOf(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof HoldfastError ? error.hint : undefined;
  return { what: `its evidence can’t be read: ${message}`, remedy: hint ?? 'holdfast status' };
}

/** Evidence that was kept from earlier says nothing about now. */
function withAge(evidence: Evidence, now: Instant): Evidence {
  const age = secondsBetween(evidence.observedAt, now);
  if (Math.abs(age) <= maximumEvidenceAge) return evidence;
  const what = `the evidence is of ${evidence.observedAt}, ${formatDuration(Math.abs(age))} ${age > 0 ? 'before' : 'after'} this machine’s time; at most ${formatDuration(maximumEvidenceAge)} is allowed`;
  const remedy =
    'ask the cluster now instead of passing evidence on, and set the clocks right (timedatectl shows whether they are synchronised)';
  return { ...evidence, problems: [...evidence.problems, { what, remedy }] };
}

/** The judgement of a reading: without evidence nothing is known, and `unknown` blocks. */
export function judgeReading(reading: Reading, limits: Limits): Judgement {
  if (reading.state === 'read') return judge(reading.evidence, limits);
  const { what, remedy } = reading.problem;
  const known: Finding = {
    rule: 'identity',
    verdict: 'fresh',
    message: 'nothing contradicts it',
    remedy: null,
  };
  const all: Finding = { rule: 'readable', verdict: 'fresh', message: 'it could be read', remedy: null };
  const nothing = (rule: Finding['rule']): Finding => ({
    rule,
    verdict: 'unknown',
    message: `nothing is known of its backups: ${what}`,
    remedy,
  });
  const cause = { verdict: 'unknown', message: what, remedy } as const;
  return {
    verdict: 'unknown',
    findings: [
      reading.state === 'other' ? { ...known, ...cause } : known,
      reading.state === 'unreadable' ? { ...all, ...cause } : all,
      nothing('recent'),
      nothing('restorable'),
      nothing('verified'),
    ],
    newestUsable: null,
    letsThrough: null,
  };
}
