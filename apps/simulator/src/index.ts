export { startSimulator } from './simulator';
export type { RunningSimulator, SimulatorOptions } from './simulator';
export { SimulatorAdminClient } from './simulator-admin.client';
export type { Arrival } from './arrivals/arrival.log';
