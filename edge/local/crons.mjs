// Cron triggers, which Miniflare does not keep time for. Times are UTC, as Cloudflare's.

const RANGES = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 6]];

/** Whether `field` of a cron expression (`*`, `5`, `1,2`, `1-5`, a step as in star/15) allows `value`. */
function allows(field, value, [low, high]) {
  return field.split(",").some((part) => {
    const [range, step = "1"] = part.split("/");
    const [from, to = part.includes("/") ? high : from] = range === "*" ? [low, high] : range.split("-").map(Number);
    if (![from, to, Number(step)].every(Number.isInteger)) throw new Error(`not a cron field: ${field}`);
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });
}

/** Whether the trigger `cron` is due in the minute of `date`. */
export function isDue(cron, date) {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== RANGES.length) throw new Error(`not a cron expression: ${cron}`);
  const now = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay()];
  return fields.every((field, i) => allows(field, now[i], RANGES[i]));
}

/** Calls the `scheduled` handlers of `workers` when their triggers are due; returns how to stop. */
export function keepTime(miniflare, workers) {
  const triggers = workers.flatMap(({ name, crons }) => crons.map((cron) => ({ name, cron })));
  if (triggers.length === 0) return () => {};
  let timer;
  const next = () => {
    const minute = (Math.floor(Date.now() / 60_000) + 1) * 60_000;
    timer = setTimeout(() => {
      for (const { name, cron } of triggers) {
        if (isDue(cron, new Date(minute))) run(name, cron, minute);
      }
      next();
    }, minute - Date.now());
    timer.unref();
  };
  const run = async (name, cron, minute) => {
    try {
      await (await miniflare.getWorker(name)).scheduled({ cron, scheduledTime: new Date(minute) });
    } catch (error) {
      process.stderr.write(`the trigger ${cron} of ${name} failed: ${error.message}\n`);
    }
  };
  next();
  return () => clearTimeout(timer);
}
