import type { SSMClient } from '@aws-sdk/client-ssm';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { HoldfastError } from '../../core/errors';
import { isRds, ofEngine, parseSpecification, type RdsSpecification } from '../../core/specification';
import { optional } from './answers';
import { AwsClock } from './clock';
import { openClients } from './clients';
import { failed, isNotFound } from './failure';
import { parameterName } from './parameters';

/**
 * What a cluster on Amazon RDS shall be, as `pulumi up` wrote it into the Parameter Store.
 * @throws HoldfastError `configuration` when nothing is written there, or something else.
 */
export async function readSpecification(region: string, cluster: string): Promise<RdsSpecification> {
  const found = await findSpecification(region, cluster);
  if (found !== null) return found;
  throw new HoldfastError('configuration', `${cluster} is not provisioned in ${region}`, {
    hint: 'Nothing is written of it in the Parameter Store there: run `pulumi up`. Is it the right account (AWS_PROFILE)?',
  });
}

/** The same; null when nothing is written. */
export async function findSpecification(region: string, cluster: string): Promise<RdsSpecification | null> {
  const { ssm } = openClients(region, new AwsClock(), { attempts: 5, answerSeconds: 30 });
  const name = parameterName({ cluster }, 'specification');
  const text = await readSecret(ssm, name);
  if (text === null) return null;
  const wrong = (what: string): HoldfastError =>
    new HoldfastError('configuration', `the parameter ${name} in ${region} is ${what}`, {
      hint: 'Run `pulumi up`, which writes it.',
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Without the cause: it quotes what it could not parse, and that may be a secret.
    throw wrong('not JSON');
  }
  const specification = ofEngine(parseSpecification(json), isRds, 'rds');
  if (specification.cluster !== cluster) throw wrong(`of cluster ${specification.cluster}`);
  return specification;
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
