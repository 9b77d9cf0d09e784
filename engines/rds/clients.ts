import { BackupClient } from '@aws-sdk/client-backup';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { AwsClock } from './clock';

export interface AwsClients {
  readonly rds: RDSClient;
  readonly ssm: SSMClient;
  readonly secrets: SecretsManagerClient;
  readonly logs: CloudWatchLogsClient;
  readonly backup: BackupClient;
}

/** What AWS's own retries are allowed: they wait longer each time, with jitter, and longest when AWS throttles. */
export interface Patience {
  /** Attempts for one call, the first one included. */
  readonly attempts: number;
  /** After so long an attempt without an answer has failed. */
  readonly answerSeconds: number;
}

/** Clients with the credentials, the endpoint and the proxy that the AWS SDK finds in its environment. */
export function openClients(region: string, clock: AwsClock, patience: Patience): AwsClients {
  // It is about Node.js 20, for which the version that is used here was made.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const configuration = {
    region,
    maxAttempts: patience.attempts,
    retryMode: 'standard' as const,
    requestHandler: {
      connectionTimeout: patience.answerSeconds * 1000,
      requestTimeout: patience.answerSeconds * 1000,
      // Without it the SDK only warns.
      throwOnRequestTimeout: true,
    },
  };
  const rds = new RDSClient(configuration);
  const ssm = new SSMClient(configuration);
  const secrets = new SecretsManagerClient(configuration);
  const logs = new CloudWatchLogsClient(configuration);
  const backup = new BackupClient(configuration);
  for (const client of [rds, ssm, secrets, logs, backup]) listen(client, clock);
  return { rds, ssm, secrets, logs, backup };
}

interface Answer {
  readonly headers?: Readonly<Record<string, string>>;
}

/** The part of a client that is the same for all services; the SDK's own types differ by service. */
interface Listenable {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (request: never) => Promise<{ response: unknown }>,
      ) => (request: never) => Promise<{ response: unknown }>,
      options: { readonly step: 'deserialize'; readonly name: string; readonly priority: 'high' },
    ): void;
  };
}

/** Tells the clock of every answer, refusals too. */
function listen(client: unknown, clock: AwsClock): void {
  const observe = (answer: unknown): void => clock.observe((answer as Answer | undefined)?.headers?.date);
  (client as Listenable).middlewareStack.add(
    next => async request => {
      try {
        const result = await next(request);
        observe(result.response);
        return result;
      } catch (error) {
        observe((error as { $response?: unknown }).$response);
        throw error;
      }
    },
    { step: 'deserialize', name: 'holdfastClock', priority: 'high' },
  );
}
