import type { SSMClient } from '@aws-sdk/client-ssm';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { optional } from './answers';
import { AwsClock } from './clock';
import { openClients } from './clients';
import { failed, isNotFound } from './failure';
import { parameterName } from './parameters';

/** The secret parameter that `pulumi up` writes what the cluster shall be into. */
export const specificationParameter = (cluster: string): string =>
  parameterName({ cluster }, 'specification');

/** What is in it; null when there is none. */
export async function readSpecificationText(region: string, cluster: string): Promise<string | null> {
  const { ssm } = openClients(region, new AwsClock(), { attempts: 5, answerSeconds: 30 });
  return readSecret(ssm, specificationParameter(cluster));
}

async function readSecret(ssm: SSMClient, name: string): Promise<string | null> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    return optional(Parameter?.Value);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw failed(`reading ${name}`, error);
  }
}
