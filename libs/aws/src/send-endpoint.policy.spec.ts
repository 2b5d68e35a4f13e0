import { SESv2Client } from '@aws-sdk/client-sesv2';
import { sesOrigin } from './send-endpoint.policy';

it.each(['us-east-1', 'eu-central-1', 'ap-southeast-3', 'us-gov-west-1', 'cn-north-1'])(
  'sends through the host the SDK would take in %s',
  (region) => {
    const client = new SESv2Client({ region });
    const { url } = client.config.endpointProvider({ Region: region });
    expect(`${sesOrigin(region)}/`).toBe(url.href);
  },
);
