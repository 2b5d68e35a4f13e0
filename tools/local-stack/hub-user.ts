import { StackProblem } from './stack-problem';
import type { StackSecrets } from './stack-secrets';

/** The account that owns no sending account, only the principal that fleet roles trust. */
export const HUB_ACCOUNT_ID = '900000000000';

const userName = 'postfleet-worker';

/** The principal that the trust policies of the fleet's roles name. */
export const HUB_PRINCIPAL_ARN = `arn:aws:iam::${HUB_ACCOUNT_ID}:user/${userName}`;

/**
 * Makes the hub user and its static keys known to the simulator, as an administrator of the real hub account would.
 * @throws StackProblem with the simulator's answer when it refuses
 */
export async function registerHubUser(simulatorAdminUrl: string, secrets: StackSecrets): Promise<void> {
  const answer = await fetch(`${simulatorAdminUrl}/accounts/${HUB_ACCOUNT_ID}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      alias: 'hub',
      users: [
        {
          accessKeyId: secrets.awsAccessKeyId,
          secretAccessKey: secrets.awsSecretAccessKey,
          userName,
          admin: true,
        },
      ],
    }),
    signal: AbortSignal.timeout(5_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new StackProblem(`the simulator refused the hub user (HTTP ${answer.status}): ${text}`);
}
