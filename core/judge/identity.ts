import type { Evidence } from '../evidence';
import { finding, type Finding } from './finding';

const remedy =
  'nothing is changed until the right data is back: mount its disk, or correct dataDirectory or the repository; holdfast status tells more';

/** Whether the evidence is of the cluster that it claims to be of, and that cluster is there. */
export function judgeIdentity(evidence: Evidence): Finding {
  const { found } = evidence.identity;
  return finding(
    'identity',
    contradictions(evidence).map(message => ({ verdict: 'unknown', message, remedy })),
    found === null
      ? 'there is no cluster yet'
      : `the cluster is the recorded one (system identifier ${found})`,
  );
}

function contradictions({ identity, phase, backups }: Evidence): string[] {
  const { recorded, found, backedUp } = identity;
  const said: string[] = [];
  if (recorded !== null && found !== null && recorded !== found)
    said.push(`the data directory holds system identifier ${found}, but ${recorded} is recorded`);
  if (recorded !== null && backedUp !== null && recorded !== backedUp)
    said.push(`the repository holds backups of system identifier ${backedUp}, but ${recorded} is recorded`);
  if (found !== null && backedUp !== null && found !== backedUp)
    said.push(
      `the repository holds backups of system identifier ${backedUp}, but the data directory holds ${found}`,
    );

  if (backedUp === null && backups.length > 0)
    said.push('there are backups, but the repository doesn’t say of which cluster');

  const known = recorded ?? backedUp;
  if (found === null && known !== null)
    said.push(`system identifier ${known} is known, but there is nothing where its data should be`);
  if (phase === 'none' && (known ?? found) !== null)
    said.push('there is data or a stanza, but no record of the cluster');
  if (phase === 'none' && backups.length > 0) said.push('there are backups, but no record of the cluster');
  // The identifier is recorded before the data is there.
  if (phase === 'provisioning' && recorded === null && found !== null)
    said.push(
      `the cluster is only being provisioned, but the data directory holds system identifier ${found}`,
    );
  if (phase === 'established' && recorded === null)
    said.push('the cluster is established, but its record lacks the system identifier');
  return said;
}
