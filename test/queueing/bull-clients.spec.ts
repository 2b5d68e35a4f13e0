import { parseRedisUrl } from '@libs/config';
import { BullClients } from '../../libs/queueing/src/bull-clients';
import { waitFor } from '../support/wait-for';

describe('a connection on which Bull waits for jobs', () => {
  // Nothing listens there.
  it.each(['redis://127.0.0.1:1', 'redis+cluster://127.0.0.1:1'])(
    'may be made anew while %s is away, as Bull does when it stops taking jobs',
    async (url) => {
      const clients = new BullClients(parseRedisUrl(url)!);
      const client = clients.create('bclient');
      client.on('error', () => undefined);
      await waitFor(() => client.status === 'reconnecting', { what: 'the first try to fail' });
      client.disconnect();
      await expect(client.connect()).resolves.toBeUndefined();
      clients.close();
    },
  );
});
