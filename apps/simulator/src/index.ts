export { startSimulator } from './simulator';
export type { RunningSimulator, SimulatorOptions } from './simulator';
export { SimulatorAdminClient } from './simulator-admin.client';
export { isSend, type Arrival } from './arrivals/arrival.log';
