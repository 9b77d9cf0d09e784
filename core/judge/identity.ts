import type { Evidence } from '../evidence';
import { finding, type Finding } from './finding';
import { wordsOf } from './words';

/** Whether the evidence is of the cluster that it claims to be of, and that cluster is there. */
export function judgeIdentity(evidence: Evidence): Finding {
  const { found } = evidence.identity;
  const { identifier, rightOne: remedy } = wordsOf[evidence.engine];
  return finding(
    'identity',
    contradictions(evidence).map(message => ({ verdict: 'unknown', message, remedy })),
    found === null ? 'there is no cluster yet' : `the cluster is the recorded one (${identifier} ${found})`,
  );
}

function contradictions({ identity, phase, backups, engine }: Evidence): string[] {
  const { identifier, here, backedUp: backedUpIs, nothingHere, traces } = wordsOf[engine];
  const { recorded, found, backedUp } = identity;
  const said: string[] = [];
  if (recorded !== null && found !== null && recorded !== found)
    said.push(`${here(found)}, but ${recorded} is recorded`);
  if (recorded !== null && backedUp !== null && recorded !== backedUp)
    said.push(`${backedUpIs(backedUp)}, but ${recorded} is recorded`);
  if (found !== null && backedUp !== null && found !== backedUp)
    said.push(`${backedUpIs(backedUp)}, but ${here(found)}`);

  if (backedUp === null && backups.length > 0)
    said.push('there are backups, but the repository doesn’t say of which cluster');

  const known = recorded ?? backedUp;
  if (found === null && known !== null) said.push(`${identifier} ${known} is known, but ${nothingHere}`);
  if (phase === 'none' && (known ?? found) !== null) said.push(`${traces}, but no record of the cluster`);
  if (phase === 'none' && backups.length > 0) said.push('there are backups, but no record of the cluster');
  // The identifier is recorded before the data is there.
  if (phase === 'provisioning' && recorded === null && found !== null)
    said.push(`the cluster is only being provisioned, but ${here(found)}`);
  if (phase === 'established' && recorded === null)
    said.push(`the cluster is established, but its record lacks the ${identifier}`);
  return said;
}
