import { HoldfastError } from '../../core/errors';
import { isRds, ofEngine, parseSpecification, type RdsSpecification } from '../../core/specification';
import { awsEngine } from './engine';

/**
 * What a cluster on Amazon RDS shall be, as `pulumi up` wrote it into the Parameter Store.
 * @throws HoldfastError `configuration` when nothing is written there, or something else.
 */
export async function readRdsSpecification(region: string, cluster: string): Promise<RdsSpecification> {
  const found = await findRdsSpecification(region, cluster);
  if (found !== null) return found;
  throw new HoldfastError('configuration', `${cluster} is not provisioned in ${region}`, {
    hint: 'Nothing is written of it in the Parameter Store there: run `pulumi up`. Is it the right account (AWS_PROFILE)?',
  });
}

/** The same; null when nothing is written. */
export async function findRdsSpecification(
  region: string,
  cluster: string,
): Promise<RdsSpecification | null> {
  const { readSpecificationText, specificationParameter } = await awsEngine();
  const text = await readSpecificationText(region, cluster);
  if (text === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Without the cause: it quotes what it could not parse, and that may be a secret.
    throw new HoldfastError(
      'configuration',
      `the parameter ${specificationParameter(cluster)} in ${region} is not JSON`,
      { hint: 'Run `pulumi up`, which writes it.' },
    );
  }
  const specification = ofEngine(parseSpecification(json), isRds, 'rds');
  if (specification.cluster === cluster) return specification;
  throw new HoldfastError(
    'configuration',
    `the parameter ${specificationParameter(cluster)} in ${region} is of cluster ${specification.cluster}`,
    { hint: 'Run `pulumi up`, which writes it.' },
  );
}
