// At most so many at once; the rest wait their turn, in order.

/** @returns {(work: () => Promise<T>) => Promise<T>} @template T */
export function createLanes(limit) {
  const waiting = [];
  let busy = 0;

  return async function inLane(work) {
    if (busy >= limit) await new Promise((go) => waiting.push(go));
    else busy += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift(); // a finished one hands its lane on
      if (next) next();
      else busy -= 1;
    }
  };
}
