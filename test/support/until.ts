/** Asks again until an answer satisfies, or fails with the last one. */
export async function until<Value>(
  ask: () => Promise<Value>,
  satisfies: (value: Value) => boolean,
  seconds = 20,
): Promise<Value> {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await ask()
    if (satisfies(value)) return value
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
