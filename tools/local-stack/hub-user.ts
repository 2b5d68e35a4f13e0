import { SimulatorAdminClient } from '../../apps/simulator/src/simulator-admin.client';
import type { StackSecrets } from './stack-secrets';

/** The account that owns no sending account, only the principal that fleet roles trust. */
const HUB_ACCOUNT_ID = '900000000000';

const userName = 'postfleet-worker';

/** The principal that the trust policies of the fleet's roles name. */
export const HUB_PRINCIPAL_ARN = `arn:aws:iam::${HUB_ACCOUNT_ID}:user/${userName}`;

/** Makes the hub user and its static keys known to the simulator, as an administrator of the real hub account would. */
export async function registerHubUser(
  simulatorAdminUrl: string,
  keys: Pick<StackSecrets, 'awsAccessKeyId' | 'awsSecretAccessKey'>,
): Promise<void> {
  await new SimulatorAdminClient(simulatorAdminUrl).putAccount(HUB_ACCOUNT_ID, {
    alias: 'hub',
    users: [{ accessKeyId: keys.awsAccessKeyId, secretAccessKey: keys.awsSecretAccessKey, userName, admin: true }],
  });
}
