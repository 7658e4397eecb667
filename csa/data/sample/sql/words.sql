-- Words. Names of accounts are put together from invented syllables and mean nobody.
set variable syllable_1 = string_split(
    'Alv,Bel,Bran,Cal,Cor,Dal,Del,Dren,El,Fal,Fen,Gal,Gren,Hal,Hel,Il,Jor,Kal,Kel,Lam,'
    || 'Lor,Mar,Mel,Mir,Nal,Nor,Ol,Orm,Pel,Quil,Ral,Ren,Sal,Sel,Tal,Tor,Ul,Val,Ver,Zel', ',');
set variable syllable_2 = string_split(
    'a,e,i,o,u,an,ar,as,el,em,en,er,es,il,im,in,ir,is,om,on,or,os,um,un,ur,ado,aro,asi,ebo,eni,'
    || 'eri,ila,imo,iro,oba,oli,omi,udo,uli,evi', ',');
set variable syllable_3 = string_split(
    'bek,byn,cott,dane,dor,dova,feld,fors,gard,gon,holt,kast,kova,lane,lund,mark,mora,nesk,'
    || 'quist,rath,reth,rova,sund,tane,thorp,tova,vane,vik,wick,zon', ',');
set variable trades = string_split(
    'Foods,Logistics,Retail,Systems,Works,Health,Textiles,Media,Energy,Tools,Transport,Learning,'
    || 'Labs,Paper,Optics,Interiors,Hotels,Packaging,Software,Partners', ',');
set variable praise = [
    'Saves us hours every week.',
    'Setup was quick and the guide helped.',
    'Reports are exactly what our board wants.',
    'Support answers fast and knows the product.',
    'The planning view changed how we work.',
    'Reliable, and gets better every quarter.',
    'Easy to roll out to new colleagues.',
    'Our manager checks in at the right moments.'
];
set variable wishes = [
    'Good, but the import could be faster.',
    'Would like more integrations.',
    'Useful, though the mobile app lacks features.',
    'Fine so far; permissions are hard to follow.',
    'Does the job, exports need work.',
    'Helpful, but the price went up.',
    'Solid, we only use half of it.',
    'Nice reports, slow on large projects.'
];
set variable complaints = [
    'Too expensive for what we use.',
    'Nobody showed us how to set it up.',
    'Reports are slow and time out.',
    'The outage cost us a working day.',
    'Support takes too long to answer.',
    'The integration breaks every month.',
    'Billing is confusing.',
    'Our team stopped using it.'
];
set variable thanks = [
    'Solved at once, thank you.',
    'Friendly and clear.',
    'Quick answer.',
    'Exactly what I needed.',
    'Good explanation.',
    'Well done.',
    'Fixed the same day.',
    'Easy to follow.'
];
set variable grumbles = [
    'Took far too long.',
    'I had to explain it three times.',
    'Closed without a fix.',
    'The answer did not help.',
    'Sent from one person to the next.',
    'Still not working.',
    'Standard text instead of an answer.',
    'Slow first reply.'
];
