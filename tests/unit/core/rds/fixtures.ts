import { rds, type RdsSettings } from '../../../../core/settings/rds';

export const managed = {
  mode: 'managed',
  version: '17.6',
  class: 'db.m7g.large',
  network: {
    vpc: 'vpc-0a1b2c3d4e5f60718',
    subnets: ['subnet-0a1b2c3d4e5f60718', 'subnet-1a1b2c3d4e5f60718'],
  },
};

export const minimal = { instance: 'shop-db', region: 'eu-central-1', source: managed };

/** Settings as a person writes them, parsed; `source` completes a managed one. */
export const settingsOf = (given: object = {}, source: object = {}): RdsSettings =>
  rds.parse({ ...minimal, source: { ...managed, ...source }, ...given });
