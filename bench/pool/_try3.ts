import { drawWorkload, meanCalls } from "./workload.ts";
import { SHARED, L40S } from "./profile.ts";
import { play, measureUnloaded } from "./measure.ts";
import { noPool, bosun, type Contender } from "./contender.ts";
import { oracle } from "./oracle.ts";
const q=(xs:number[],p:number)=>{const s=xs.toSorted((a,b)=>a-b);return s[Math.floor((s.length-1)*p)]??NaN};
const n=Number(process.argv[2]??400), R=Number(process.argv[3]??4), over=JSON.parse(process.argv[4]??"{}"), rhos=JSON.parse(process.argv[5]??"[0.6,0.9,1.2,1.8,2.4]");
const seeds=[1,2];
const prof={...SHARED,...over};
const ws=seeds.map(s=>drawWorkload(prof,n,s));
const setup={...L40S,...(over.setup??{})};
const stages=ws.map((w,i)=>({workload:w,setup,replicas:R,seed:i}));
let cap=0; for(const st of stages){const sat=await play(st,noPool,{type:"closed",atOnce:40*R});const e=sat.runs.map(r=>r.endedAt).toSorted((a,b)=>a-b);cap+=(0.5*n)/((e[Math.floor(.7*n)]!-e[Math.floor(.2*n)]!)/1e3)/seeds.length; console.log("sat hit", sat.runs.reduce((a,r)=>a+r.cachedTokens,0)/sat.runs.reduce((a,r)=>a+r.promptTokens,0),"cpu",sat.cpuSeconds)}
const uns=[];for(const st of stages)uns.push(await measureUnloaded(st));
console.log("cap runs/s",cap,"calls/run",meanCalls(ws[0]!),"unloaded s", q([...uns[0]!.values()],.5)/1e3);
const cs:[string,(w:typeof ws[0])=>Contender][]=[["no pool",()=>noPool]];
const O=(name:string,c:object)=>{cs.push([name,(w)=>oracle(w,{countsShared:true,fill:.95,ageing:10,ageBy:"run",reserve:{by:"peak-mean",factor:1},...c})]);};
O("prefix b3",{affinity:"prefix",bound:3});
cs.push(["bosun",()=>bosun()]);
if(process.env.XONLY) cs.splice(0,cs.length-1);
for(const rho of rhos) for (const [name,c] of cs) {
  let pre=0,sec=0,good=0,cpu=0,w=0,all:any[]=[];const ratio:number[]=[];
  for(const [i,st] of stages.entries()){const p=await play(st,c(st.workload),{type:"open",perSecond:cap*rho});pre+=p.preemptions;sec+=p.seconds;cpu+=p.cpuSeconds;w=Math.max(w,p.mostWaiting);all.push(...p.runs);good+=p.runs.filter(r=>r.latencyMs<=3*(uns[i]!.get(r.id)??0)).length;for(const r of p.runs)ratio.push(r.latencyMs/(uns[i]!.get(r.id)??1));}
  const t=all.flatMap(r=>r.firstTokenMs);
  console.log(rho,name.padEnd(16),"TTFT mean",(t.reduce((a,b)=>a+b,0)/t.length).toFixed(0),"p95",q(t,.95).toFixed(0),"hit",(all.reduce((a,r)=>a+r.cachedTokens,0)/all.reduce((a,r)=>a+r.promptTokens,0)).toFixed(3),"slowdown p50",q(ratio,.5).toFixed(2),"p95",q(ratio,.95).toFixed(2),"pre",pre,"wait",w,"good",(good/sec).toFixed(4),"s",sec.toFixed(0),"cpu",cpu.toFixed(1),"err",all.filter(r=>r.error).length);
}
