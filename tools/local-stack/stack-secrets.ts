import { randomBytes, randomInt } from 'node:crypto';
import path from 'node:path';
import { readJson, writeJson } from './data-folder';

/** Everything secret of one local stack: made once, kept in `secrets.json` (mode 0600) beside the data it opens. */
export interface StackSecrets {
  readonly postgresPassword: string;
  readonly migratePassword: string;
  readonly appPassword: string;
  readonly adminPassword: string;
  readonly workerPassword: string;
  readonly redisPassword: string;
  /** Key of the digests under which API keys are stored; a new one makes every issued key unknown. */
  readonly apiKeyPepper: string;
  /** Static keys of the hub user, the only principal whose keys the worker holds. */
  readonly awsAccessKeyId: string;
  readonly awsSecretAccessKey: string;
}

/** Reads the secrets of a data folder and makes those that are not there yet. */
export function loadSecrets(dataFolder: string): StackSecrets {
  const file = path.join(dataFolder, 'secrets.json');
  const known = readJson<Partial<StackSecrets>>(file) ?? {};
  const secrets: StackSecrets = { ...freshSecrets(), ...known };
  if (Object.keys(known).length < Object.keys(secrets).length) writeJson(file, secrets);
  return secrets;
}

function freshSecrets(): StackSecrets {
  // base64url: goes into a URL and a configuration file without any quoting.
  const password = () => randomBytes(24).toString('base64url');
  return {
    postgresPassword: password(),
    migratePassword: password(),
    appPassword: password(),
    adminPassword: password(),
    workerPassword: password(),
    redisPassword: password(),
    apiKeyPepper: randomBytes(32).toString('base64url'),
    awsAccessKeyId: `AKIA${letters(16)}`,
    awsSecretAccessKey: randomBytes(30).toString('base64url'),
  };
}

/** AWS's access key ids are upper-case base32. */
function letters(count: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('');
}
