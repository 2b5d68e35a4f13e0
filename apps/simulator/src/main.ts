// First: a signal is heard while everything else is loaded.
import { end } from './end';
import { clockScaleOf, loadConfig, simulatorConfig } from '@libs/config';
import { REAL_TIME } from '@libs/kernel';
import { startSimulator } from './simulator';

async function main(): Promise<void> {
  const config = loadConfig(simulatorConfig);
  const scale = clockScaleOf(config);
  const realTime = scale.speed === REAL_TIME.speed && scale.offsetMs === REAL_TIME.offsetMs;
  const simulator = await startSimulator({
    host: config.SIMULATOR_HOST,
    port: config.SIMULATOR_PORT,
    adminPort: config.SIMULATOR_ADMIN_PORT,
    dataDir: config.SIMULATOR_DATA_DIR,
    seed: config.SIMULATOR_SEED,
    latencyMs: config.SIMULATOR_LATENCY_MS,
    latencyP99Ms: config.SIMULATOR_LATENCY_P99_MS,
    eventDelayMs: config.SIMULATOR_EVENT_DELAY_MS,
    verifyDelayMs: config.SIMULATOR_VERIFY_DELAY_MS,
    snsRetryDelaysMs: config.SIMULATOR_SNS_RETRY_DELAYS_MS,
    clockScale: realTime ? undefined : scale,
  });
  end.closes(() => simulator.close());
  // One line of JSON: the launcher reads the ports from it.
  process.stdout.write(`${JSON.stringify({ simulator: simulator.endpoint, admin: simulator.adminUrl })}\n`);
}

main().catch((error: unknown) => {
  end.fail(error);
});
