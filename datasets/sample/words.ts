/** The words that the sample collection is put together from. Changing any of them changes the dataset's version. */

const split = (text: string): string[] => text.trim().split(/\s*[,\n]\s*/);

/** What a passage calls a house, and what queries call it instead: nothing but training tells that they are the same. */
export const kinds = `
  Brewery = beer maker | producer of ale
  Glassworks = maker of bottles | window pane factory
  Observatory = star gazing station | place to watch the sky
  Hospital = infirmary | home for the sick
  Theatre = playhouse | stage for drama
  Library = reading rooms | lender of books
  Shipyard = boat builder | maker of vessels
  Bank = money lender | keeper of savings
  School = place of learning | classrooms for children
  Museum = exhibition rooms | collection of old things
  Lighthouse = beacon for sailors | harbour lamp
  Tannery = leather maker | hide and skin works
  Bakery = bread maker | shop for loaves
  Orchestra = symphony players | band of musicians
  Gazette = newspaper | printed daily
  Railway = train line | iron road
  Colliery = coal mine | underground diggings
  Vineyard = wine grower | grape estate
  Menagerie = zoo | animal park
  Foundry = iron caster | metal melting plant
  Cannery = fish packer | tinned food plant
  Dairy = milk and cheese producer | butter maker
  Monastery = cloister | home of monks
  Prison = jail | place for convicts
  Hotel = inn | guest house
  Press = book publisher | printer of novels
  Spinnery = yarn maker | thread and cotton mill
  Pottery = clay ware maker | kiln for cups and bowls
  Circus = tent show | troupe of acrobats
  Arboretum = tree collection | park of rare plants
  Powerhouse = electricity plant | generator of current
  Waterworks = pump station | supplier of drinking water
  Clockworks = watch maker | timepiece factory
  Orphanage = foundling home | shelter for parentless children
  Aerodrome = landing field | airport
  Distillery = whisky maker | producer of spirits
  Sawmill = timber cutter | maker of planks
  Chorus = singers | vocal group
  Lido = swimming pool | open air bath
  Quarry = stone cutter | source of marble
`
  .trim()
  .split('\n')
  .map((line) => {
    const [noun = '', asked = ''] = line.trim().split(' = ');
    return { noun, asked: asked.split(' | ') };
  });

const compose = (starts: string, ends: string, between = ''): string[] =>
  split(starts).flatMap((start) => split(ends).map((end) => start + between + end));

export const towns = compose('Nor,Ash,Elm,Wil,Hart,Stan,Brad,Kel,Thorn,Sal', 'by,ford,ton,ham');

export const forenames =
  split(`Ada,Bruno,Clara,David,Edith,Felix,Greta,Hugo,Irene,Jonas,Karin,Leo,Martha,Nils,Olga,
  Peter,Rosa,Simon,Thea,Ulrich,Vera,Walter,Agnes,Boris,Cecil,Dora,Emil,Frida,Gustav,Helen`);

export const surnames =
  split(`Abbott,Barlow,Castell,Dreyer,Eklund,Farrow,Gresham,Holm,Ingram,Jarvis,Kessler,Lindt,
  Marsh,Norris,Olsen,Pryce,Quandt,Reeve,Sander,Tully,Underhill,Voss,Wexler,Yates,Zeller,Amberg,Boyle,Corbin,Dahl,Ellery,
  Frost,Godwin,Harker,Iversen,Juhl,Kramer,Lowell,Mercer,Nyman,Osborne`);

export const epithets = split(
  'Royal,Old,Golden,Northern,United,Crown,Grand,Free,Green,Saint Anne,Phoenix,Union',
);

export const backers = compose(
  'a guild of,a lottery among,a loan from,the savings of,a bequest to',
  'weavers,bankers,farmers,sailors,tailors,widows,miners,grocers,lawyers,fishermen,carpenters,hatters,nurses,smiths',
  ' ',
);

export const earlier = compose(
  'an old,a ruined,an empty,a wooden,a burnt,a Roman,a walled,a leaking',
  'chapel,stable,barn,tavern,fort,orchard,bathhouse,market hall,granary,bridge,wash house,tower,dovecote,well',
  ' ',
);

export const sights = compose(
  'its blue,its copper,its painted,its carved,its silent,its marble,its crooked,its giant,its gilded,its mirrored',
  'doors,bells,ceiling,staircase,windows,fountain,chimney,gates,clock,ovens,lanterns,pillars,garden,cellar',
  ' ',
);

export const streets = compose(
  'Mill,Church,Castle,Bridge,Rope,Canal,Station,Orchard,Victoria,Tower,King,Swan,Abbey,Linden,Cross,Potter',
  'Street,Lane,Square,Hill,Road',
  ' ',
);

/** The kinds of values a fact can have. */
export type ValueKind = 'person' | 'year' | 'backer' | 'earlier' | 'number' | 'sight' | 'street' | 'town';

export interface FactWords {
  value: ValueKind;
  /** How passages state it: V is the value. */
  says: readonly string[];
  /** How queries ask for it, in other words: D is the house. */
  asks: readonly string[];
}

const fact = (value: ValueKind, says: string, asks: string): FactWords => ({
  value,
  says: says.split('|'),
  asks: asks.split('|'),
});

/** By half of a house's history: each has its own passage, so the wording of a query tells the two apart. */
export const halves: readonly { opens: readonly string[]; facts: readonly FactWords[] }[] = [
  {
    opens: ['N was built in T.', 'In T rose N.', 'N came to T long ago.'],
    facts: [
      fact(
        'person',
        'V founded it.|Its founder was V.|The idea was that of V.',
        'Who started D?|Which person set up D?|By whom was D created?',
      ),
      fact(
        'year',
        'It opened in V.|Its history begins in V.|The first guests came in V.',
        'When did D come into being?|What year saw the birth of D?|How far back does D go?',
      ),
      fact(
        'backer',
        'The money came from V.|V paid for it.|Its costs were met by V.',
        'Who financed D?|Which funds went into D?|Whose wealth made D possible?',
      ),
      fact(
        'person',
        'V drew the plans.|The walls were designed by V.|It follows a sketch by V.',
        'Who was the architect of D?|Which draughtsman shaped D?|Who gave D its looks?',
      ),
      fact(
        'earlier',
        'Before that the plot held V.|It took the place of V.|V had stood on the same ground.',
        'What did D replace?|What was on the site earlier than D?|What had to be torn down for D?',
      ),
    ],
  },
  {
    opens: ['N still belongs to T.', 'Nobody in T can miss N.', 'T is proud of N.'],
    facts: [
      fact(
        'person',
        'V is the director.|It is now run by V.|The keys are held by V.',
        'Who leads D?|Who is in charge of D?|Which boss manages D?',
      ),
      fact(
        'number',
        'V people work there.|It has a staff of V.|It pays V wages a month.',
        'How many employees has D?|How large is the crew of D?|How many earn a living at D?',
      ),
      fact(
        'sight',
        'It is best known for V.|Visitors admire V.|Most postcards show V.',
        'What is D famous for?|What draws crowds to D?|What should tourists see at D?',
      ),
      fact(
        'year',
        'A fire damaged it in V.|Flames took its roof in V.|It burned to the ground in V.',
        'When did D suffer a blaze?|Which year brought disaster to D?|When was D in ashes?',
      ),
      fact(
        'street',
        'Its new home is in V.|Lately it moved to V.|It has been shifted to V.',
        'Where did D relocate?|At what address is D these days?|To which place was D transferred?',
      ),
      fact(
        'town',
        'Its one rival sits in V.|It competes with another in V.|A twin of it trades in V.',
        'Where is the main competitor of D?|What town threatens the business of D?|Where is the opponent of D?',
      ),
    ],
  },
];
