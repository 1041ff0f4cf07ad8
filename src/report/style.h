#pragma once

#include <string_view>

namespace ltad {

/// The page's style sheet; its colours are the charts' (palette_css). Without <, & and "http", so that the page stays
/// well-formed and needs no network.
inline constexpr std::string_view page_style = R"css(
*{box-sizing:border-box}
html{color-scheme:light dark;scroll-padding-top:3.5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
 font:15px/1.5 system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
header,main,footer,nav ul{max-width:1180px;margin:0 auto;padding:0 20px}
h1,h2,h3{line-height:1.25;font-weight:600;text-wrap:balance}
h1{font-size:1.75rem;margin:1.6rem 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.6rem 0 .3rem;padding-top:.8rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.6rem 0 .2rem}
.lead{margin:.2rem 0 .8rem;color:var(--soft);max-width:46rem}
small{font-size:.82em;color:var(--soft)}
a{color:inherit;text-underline-offset:.2em}
main:focus{outline:none}
:focus-visible{outline:2px solid var(--s1);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-100vw}
.skip:focus{left:12px;top:8px;z-index:3;padding:6px 12px;background:var(--paper);color:var(--ink)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}

.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(165px,1fr));gap:.5rem 1.5rem;margin:.8rem 0}
.facts div{min-width:0}
dt{font-size:.8rem;color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.summary{display:flex;flex-wrap:wrap;gap:.2rem 2.6rem;margin:1rem 0;padding:0;list-style:none}
.summary b{display:block;font-size:1.9rem;font-weight:600;line-height:1.2;font-variant-numeric:tabular-nums}
.summary span{font-size:.8rem;color:var(--soft)}
.notes{margin:.8rem 0;padding:.5rem .9rem;border-left:3px solid var(--s2)}
.notes p{margin:.2rem 0}

nav{position:sticky;top:0;z-index:2;background:var(--paper);border-bottom:1px solid var(--line)}
nav ul{display:flex;gap:1.2rem;overflow-x:auto;list-style:none}
nav a{display:block;padding:.55rem 0;white-space:nowrap;font-size:.9rem;color:var(--soft);text-decoration:none}
nav a:hover{color:var(--ink);text-decoration:underline}

.scroll{overflow-x:auto;margin:.4rem 0 1rem;
 background:linear-gradient(to left,var(--paper) 40%,transparent) 100% 0/2.4rem 100% no-repeat local,
  linear-gradient(to left,color-mix(in srgb,var(--soft) 40%,transparent),transparent) calc(100% - 1px) 0/.7rem 100% no-repeat scroll}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.2rem .6rem;text-align:right;white-space:nowrap}
th{font-weight:500}
th[scope=row],thead tr:first-child th:first-child,.word,.words th,.words td{text-align:left}
th[scope=row],thead tr:first-child th:first-child{padding-left:0;position:sticky;left:0;background:var(--paper)}
tbody th[scope=row]{white-space:normal;overflow-wrap:anywhere;min-width:5.5rem;max-width:min(16rem,38vw)}
thead th[scope=colgroup]{text-align:center}
thead th{color:var(--soft);font-size:.8rem;vertical-align:bottom}
tbody tr{border-top:1px solid var(--line)}
tbody tr:hover{background:color-mix(in srgb,var(--line) 40%,transparent)}
tfoot tr:first-child,tbody tr:first-child{border-top:1px solid var(--soft)}
.first{padding-left:1.6rem}
.words td{white-space:normal}
.near{display:inline-block;margin-right:.7rem;white-space:nowrap}
.tag{font-size:.8rem;color:var(--soft)}
.tag.low{color:var(--ink);font-weight:600}
.tables{display:flex;flex-wrap:wrap;gap:.5rem 3rem}
.tables .scroll{max-width:100%}

.charts{display:grid;gap:22px 20px;margin-top:.6rem}
.charts.small{grid-template-columns:repeat(auto-fill,210px)}
.charts.wide{grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr))}
svg{display:block;max-width:100%;height:auto}
.charts.wide svg{width:100%;max-width:520px}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.2rem 0 .9rem;font-size:.85rem;color:var(--soft)}
.legend i{display:inline-block;width:14px;height:4px;margin-right:.4rem;vertical-align:middle}
.b-s1{background:var(--s1)}.b-s2{background:var(--s2)}.b-s3{background:var(--s3)}
.b-s4{background:var(--s4)}.b-s5{background:var(--s5)}.b-s6{background:var(--s6)}

figure{margin:0}
.item{display:grid;grid-template-columns:150px 1fr;gap:.4rem 1.2rem;padding:.7rem 0;border-top:1px solid var(--line)}
.item>figcaption{font-size:.88rem;overflow-wrap:anywhere;min-width:0}
.item>figcaption span{color:var(--soft)}
.item>figcaption .bad{color:var(--bad)}
.more{display:block;font-size:.8rem}
.panels{display:grid;grid-template-columns:repeat(5,minmax(0,1fr));gap:.5rem}
.panels img{display:block;width:100%;height:auto;border-radius:3px;background:var(--line)}
.panels figcaption{font-size:.75rem;color:var(--soft)}

details{margin:1rem 0}
summary{cursor:pointer;padding:.3rem 0;font-weight:500}
pre{margin:.4rem 0;padding:.8rem;overflow-x:auto;font-size:.8rem;line-height:1.4;border:1px solid var(--line);
 border-radius:4px}
footer{margin-top:3rem;padding-top:.8rem;padding-bottom:2rem;color:var(--soft);font-size:.8rem}

@media (max-width:640px){
 header,main,footer,nav ul{padding-left:14px;padding-right:14px}
 .item{grid-template-columns:1fr}
 .panels{grid-template-columns:repeat(3,minmax(0,1fr))}
 .charts.small{grid-template-columns:repeat(2,minmax(0,1fr));gap:18px 12px}
}
@media print{
 nav,.skip{display:none}
 body{font-size:10pt}
 .item,svg,tr{break-inside:avoid}
 h2,h3{break-after:avoid}
 .scroll{overflow:visible}
}
)css";

}  // namespace ltad
