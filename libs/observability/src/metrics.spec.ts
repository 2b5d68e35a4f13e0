import { Metrics } from './metrics';

describe('metrics', () => {
  it('begin at 0 for every label that is known, so that the first event is seen as growth', async () => {
    const metrics = new Metrics('test');
    const incidents = metrics.counter('incidents_total', 'Incidents', ['state'], ['PAUSED', 'SUSPENDED']);
    incidents.inc({ state: 'PAUSED' });
    const { text } = await metrics.render();
    expect(text.match(/^postfleet_incidents_total.*/gm)).toEqual([
      'postfleet_incidents_total{state="PAUSED",process="test"} 1',
      'postfleet_incidents_total{state="SUSPENDED",process="test"} 0',
    ]);
  });
});
