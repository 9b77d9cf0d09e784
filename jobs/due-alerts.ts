import { decideAlerts } from '../core/alerts';
import type { Evidence } from '../core/evidence';
import { judge, limitsOf } from '../core/freshness';
import { beat, sendAlert, type Log } from './alert';
import type { Cluster } from './cluster';
import { forecast, type DueMemory } from './due-memory';

/** Sends what is to be sent. What reached nobody is not remembered as sent, so that the next run tries again. */
export async function sendAlerts(
  cluster: Cluster,
  evidence: Evidence,
  memory: DueMemory,
  log: Log,
): Promise<{ memory: DueMemory; sent: string[] }> {
  const { specification } = cluster;
  const limits = limitsOf(specification.settings.backups);
  const judgement = judge(evidence, limits);
  const now = evidence.observedAt;
  const failures = Object.entries(memory.failures).map(([job, failure]) => ({
    job,
    failures: failure.count,
    reason: failure.reason,
  }));
  const decided = decideAlerts({
    evidence,
    judgement,
    limits,
    failures,
    fullOn: forecast(memory, evidence),
    memory: memory.alerts,
    repeatAfter: specification.alerts.repeatAfter,
    now,
  });
  const alerts = { ...decided.memory };
  const sent: string[] = [];
  for (const each of decided.send) {
    log(`alert (${each.state}): ${each.message} → ${each.remedy}`);
    if (await sendAlert(each, specification.environment, specification.alerts, log)) {
      sent.push(each.key);
      continue;
    }
    const known = memory.alerts[each.key];
    if (known === undefined) Reflect.deleteProperty(alerts, each.key);
    else alerts[each.key] = known;
  }
  if (judgement.verdict === 'fresh' && failures.length === 0) await beat(specification.alerts, log);
  return { memory: { ...memory, alerts }, sent };
}
