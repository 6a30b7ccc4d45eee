import { drawWorkload } from "./workload.ts";
import { mixedCrews, L40S } from "./profile.ts";
import { play, measureUnloaded, type Played } from "./measure.ts";
import { noPool, bosun, type Contender } from "./contender.ts";
import { oracle } from "./oracle.ts";
const q=(xs:number[],p:number)=>{const s=xs.toSorted((a,b)=>a-b);return s[Math.floor((s.length-1)*p)]??NaN};
const n=Number(process.argv[2]??600), share=Number(process.argv[3]??0.1), seeds=[1,2,3];
const ws=seeds.map(s=>drawWorkload(mixedCrews(share),n,s));
const stages=ws.map((w,i)=>({workload:w,setup:L40S,replicas:1,seed:i}));
let cap=0; for(const st of stages){const sat=await play(st,noPool,{type:"closed",atOnce:40});const e=sat.runs.map(r=>r.endedAt).toSorted((a,b)=>a-b);cap+=(0.5*n)/((e[Math.floor(.7*n)]!-e[Math.floor(.2*n)]!)/1e3)/seeds.length;}
const uns=[];for(const st of stages)uns.push(await measureUnloaded(st));
console.log("cap runs/s",cap,"calls/s",cap*(2*(1-share)+20*share));
const cs:[string,(w:typeof ws[0])=>Contender][]=[["no pool",()=>noPool]];
const O=(name:string,c:object)=>cs.push([name,(w)=>oracle(w,c)]);



const B={countsShared:true,fill:.97,reserve:{by:"peak-mean",factor:1}};
O("oracle age10",{...B,fill:.95,ageBy:"run",ageing:10});
cs.push(["bosun",()=>bosun()]);
for(const rho of [0.9,1.0,1.5]) for (const [name,c] of cs) {
  let pre=0,sec=0,good=0,cpu=0,w=0,all:any[]=[];
  for(const [i,st] of stages.entries()){const p=await play(st,c(st.workload),{type:"open",perSecond:cap*rho});pre+=p.preemptions;sec+=p.seconds;cpu+=p.cpuSeconds;w=Math.max(w,p.mostWaiting);all.push(...p.runs);good+=p.runs.filter(r=>r.latencyMs<=3*(uns[i]!.get(r.id)??0)).length;}
  const per=(k?:string,p=.95)=>(q(all.filter(r=>!k||r.kind===k).map(r=>r.latencyMs/r.calls),p)/1e3).toFixed(1);
  console.log(rho,name.padEnd(16),"p95/call",per(),"short",per("short"),"long",per("long"),"mean",(all.reduce((a,r)=>a+r.latencyMs,0)/all.length/1e3).toFixed(1),"meanlong",(all.filter(r=>r.kind==="long").reduce((a,r)=>a+r.latencyMs/20,0)/all.filter(r=>r.kind==="long").length/1e3).toFixed(1),"pre",pre,"wait",w,"good",(good/sec).toFixed(4),"s",sec.toFixed(0),"cpu",cpu.toFixed(1));
}
