import { createFleet } from "./fleet.ts";
import { drawWorkload, meanCalls } from "./workload.ts";
import { mixedCrews, SHARED, L40S } from "./profile.ts";
import { play, measureUnloaded, answersOf } from "./measure.ts";
import { noPool, semaphore, bosun } from "./contender.ts";
import { oracle } from "./oracle.ts";
const q=(xs:number[],p:number)=>{const s=xs.toSorted((a,b)=>a-b);return s[Math.floor((s.length-1)*p)]??NaN};
const n=Number(process.argv[2]??300);
let t=performance.now();
const w=drawWorkload(mixedCrews(0.1),n,1);
console.log("draw",performance.now()-t, meanCalls(w));
const f=createFleet({setup:L40S,replicas:1,seed:1,answerOf:answersOf(w)}); console.log(f.capacity);
const stage={workload:w,setup:L40S,replicas:1,seed:1};
const sat=await play(stage,noPool,{type:"closed",atOnce:40});
const ends=sat.runs.map(r=>r.endedAt).toSorted((a,b)=>a-b);
console.log("sat", sat.seconds, sat.preemptions, "cpu",sat.cpuSeconds, "runs/s", (0.5*n)/((ends[Math.floor(.7*n)]!-ends[Math.floor(.2*n)]!)/1e3));
const cap=(0.5*n)/((ends[Math.floor(.7*n)]!-ends[Math.floor(.2*n)]!)/1e3);
t=performance.now(); const un=await measureUnloaded(stage); console.log("unloaded cpu", performance.now()-t, [...un.values()].slice(0,5));
for(const rho of [0.9,1.0,1.5]) for (const c of [noPool, semaphore, oracle(w,{order:"fcfs"}), oracle(w,{order:"remaining-calls"}), oracle(w)]) {
  const p=await play(stage,c,{type:"open",perSecond:cap*rho});
  const per=p.runs.map(r=>r.latencyMs/r.calls); 
  const good=p.runs.filter(r=>r.latencyMs<=3*(un.get(r.id)??0)).length/p.seconds;
  console.log(rho,c.name.padEnd(24),"p95/call",q(per,.95).toFixed(0),"short",q(p.runs.filter(r=>r.kind==="short").map(r=>r.latencyMs/r.calls),.95).toFixed(0),"long",q(p.runs.filter(r=>r.kind==="long").map(r=>r.latencyMs/r.calls),.95).toFixed(0),"mean",(p.runs.reduce((a,r)=>a+r.latencyMs,0)/n).toFixed(0),"pre",p.preemptions,"wait",p.mostWaiting,"good",good.toFixed(4),"s",p.seconds.toFixed(0),"cpu",p.cpuSeconds.toFixed(2), p.runs.filter(r=>r.error).length);
}
