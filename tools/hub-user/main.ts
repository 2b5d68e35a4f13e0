import { loadConfig } from '@libs/config';
import { endOnSignal } from '@libs/kernel';
import { z } from 'zod';
import { registerHubUser } from '../local-stack/hub-user';

const hubUserConfig = z.object({
  SIMULATOR_ADMIN_URL: z.url(),
  AWS_ACCESS_KEY_ID: z.string(),
  AWS_SECRET_ACCESS_KEY: z.string(),
});

/** Makes the worker's static keys known to a simulator, where no launcher does it (docker-compose.yml). Safe to repeat. */
async function main(): Promise<void> {
  endOnSignal();
  const config = loadConfig(hubUserConfig);
  await registerHubUser(config.SIMULATOR_ADMIN_URL, {
    awsAccessKeyId: config.AWS_ACCESS_KEY_ID,
    awsSecretAccessKey: config.AWS_SECRET_ACCESS_KEY,
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
