/** True when a GET of that URL is answered with a 2xx status within a second. */
export async function isHealthy(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    await answer.arrayBuffer(); // an unread body keeps its connection
    return answer.ok;
  } catch {
    return false;
  }
}
