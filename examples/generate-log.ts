// node dist/examples/generate-log.js [lines] [seed] > synthetic.log
import {syntheticLog} from './synthetic-log.ts';

const [lines = '300', seed = '1'] = process.argv.slice(2);
const {text, anomalies} = syntheticLog({lines: Number(lines), seed: Number(seed)});

process.stdout.write(text);
for (const {kind, host, firstLine, lastLine} of anomalies) {
  console.error(`Lines ${firstLine}-${lastLine}: ${kind} on ${host}`);
}
