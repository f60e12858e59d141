"""Words that rendered screens are made of: colours, shapes, icon names, labels."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: Name -> CSS colour. Eleven basic colour terms (Berlin and Kay, 1969) and turquoise, two shades each.
COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("#dc2626", "#ef4444"),
    "orange": ("#ea7317", "#fb923c"),
    "yellow": ("#facc15", "#eab308"),
    "green": ("#16a34a", "#22c55e"),
    "blue": ("#2563eb", "#3b82f6"),
    "purple": ("#7e22ce", "#9333ea"),
    "pink": ("#ec4899", "#f472b6"),
    "brown": ("#7c4a1e", "#8b5a2b"),
    "black": ("#0a0a0a", "#1c1c1c"),
    "grey": ("#6b7280", "#9ca3af"),
    "white": ("#ffffff", "#f8fafc"),
    "turquoise": ("#06b6d4", "#14b8a6"),
}

SHAPES: tuple[str, ...] = _words(
    "circle square triangle star rectangle oval diamond pentagon hexagon cross arrow heart ring line"
)

#: Concept -> file names that the icon sets use for it (the first that a set has is taken).
ICON_ALIASES: dict[str, tuple[str, ...]] = {
    "gear": ("gear", "settings", "cog"),
    "trash": ("trash", "trash-2", "trash-can"),
    "search": ("search", "magnifying-glass", "magnify"),
    "envelope": ("envelope", "mail", "email"),
    "home": ("home", "house", "house-door"),
    "user": ("user", "person", "account"),
    "users": ("users", "people", "account-group", "user-group"),
    "pencil": ("pencil", "pen", "edit"),
    "calendar": ("calendar", "calendar-days"),
    "close": ("x", "x-lg", "xmark", "close"),
    "check": ("check", "check-lg"),
    "plus": ("plus", "plus-lg"),
    "minus": ("minus", "dash", "dash-lg"),
    "menu": ("menu", "list", "bars"),
    "bell": ("bell",),
    "camera": ("camera",),
    "image": ("image", "photo"),
    "lock": ("lock",),
    "key": ("key",),
    "star": ("star",),
    "heart": ("heart",),
    "download": ("download",),
    "upload": ("upload",),
    "share": ("share", "share-nodes", "share-2", "share-variant"),
    "printer": ("printer", "print"),
    "refresh": ("refresh", "refresh-cw", "arrow-clockwise", "rotate-right", "arrow-repeat"),
    "filter": ("filter", "funnel"),
    "warning": ("exclamation-triangle", "triangle-alert", "alert-triangle", "triangle-exclamation", "alert"),
    "info": ("info-circle", "info", "circle-info", "information"),
    "question": (
        "question-circle",
        "circle-help",
        "circle-question-mark",
        "help",
        "circle-question",
        "help-circle",
    ),
    "cart": ("cart", "shopping-cart", "cart-shopping"),
    "eye": ("eye",),
    "link": ("link", "link-45deg"),
    "chart": ("bar-chart", "chart-bar", "chart-column"),
    "map pin": ("geo-alt", "map-pin", "location-dot", "map-marker"),
    "phone": ("telephone", "phone"),
    "sun": ("sun", "brightness-high", "weather-sunny"),
    "moon": ("moon", "weather-night"),
    "cloud": ("cloud",),
    "bolt": ("lightning", "zap", "bolt", "flash"),
    "log out": ("box-arrow-right", "log-out", "right-from-bracket", "logout"),
    "paper plane": ("send", "paper-plane"),
    "floppy disk": ("floppy", "save", "floppy-disk", "device-floppy", "content-save"),
    "speech bubble": ("chat", "message-circle", "comment", "message"),
    "thumbs up": ("hand-thumbs-up", "thumbs-up", "thumb-up"),
    "thumbs down": ("hand-thumbs-down", "thumbs-down", "thumb-down"),
    "crop": ("crop",),
    "undo": ("arrow-counterclockwise", "undo", "undo-2", "rotate-left", "arrow-back-up"),
    "microphone": ("mic", "microphone"),
    "shopping bag": ("bag", "shopping-bag", "bag-shopping"),
    "zoom in": ("zoom-in", "magnifying-glass-plus", "magnify-plus"),
    "zoom out": ("zoom-out", "magnifying-glass-minus", "magnify-minus"),
    "volume": ("volume-up", "volume-2", "volume-high", "volume"),
    "mute": ("volume-mute", "volume-x", "volume-xmark", "volume-3"),
    "graduation cap": ("mortarboard", "graduation-cap", "school"),
    "briefcase": ("briefcase",),
    "document": ("file-earmark", "file"),
}

#: Concepts whose file name is their name in at least four of the five icon sets.
ICON_NAMES: tuple[str, ...] = _words("""
    align-center ambulance anchor apple archive arrow-down arrow-left arrow-right arrow-up asterisk at
    atom award backspace ban bandage barcode battery battery-charging bed beer binoculars biohazard
    bluetooth bomb bone book bookmark bookmark-plus border-all box brain brush bucket bug building bus
    cake calculator calendar-check calendar-heart calendar-minus calendar-plus candy car carrot cast cat
    chart-line chart-pie check-circle chevron-down chevron-left chevron-right chevron-up clipboard
    clipboard-check clipboard-list clipboard-plus clock cloud-check cloud-download cloud-rain cloud-upload
    clover code coffee columns compass cone cookie copy copyright credit-card cross crown database disc
    dna dog door-closed door-open droplet egg eraser fan fast-forward feather file-check file-code
    file-image file-minus file-music file-plus file-text film fingerprint fire-extinguisher fish flag
    flask folder folder-check folder-minus folder-open folder-plus forward gauge gavel ghost gift globe
    grip-horizontal grip-vertical hammer headphones headset heart-pulse hexagon history hospital hourglass
    ice-cream inbox infinity keyboard lamp laptop leaf lightbulb list-check lock-open lungs magnet mailbox
    map medal microscope mouse music newspaper nut octagon palette paperclip pause pause-circle peace
    percent piggy-bank pin play play-circle plug plus-circle power prescription puzzle radar radio rainbow
    receipt recycle regex repeat reply reply-all robot rocket router rss ruler satellite scissors server
    shield shield-check shield-plus shuffle signal signature skull slash snowflake stethoscope stop-circle
    subscript superscript table tablet tag tags tent terminal thermometer ticket tools tornado tractor
    train tree trophy truck umbrella usb video virus voicemail wallet weight wifi wifi-off wind wrench
    yin-yang
""")

WORDS: tuple[str, ...] = _words("""
    account address agenda alarm amount archive article asset balance basket batch billing board booking
    branch budget campaign capacity catalogue channel charge city client colour comment company contact
    contract country coupon course customer dashboard date deadline delivery department deposit detail
    device discount display document draft duration email employee engine entry error estimate event
    export factory feedback field file filter finish flight folder forecast form group guest history hotel
    image import inbox index industry input inspection insurance interval invoice item job journal label
    language level licence limit line list location login machine mail manager manual map material meeting
    member memo menu message method mode model module month motor name network notice number offer office
    operator option order origin output owner package page part password patient payment permit phone
    photo plan plant plate policy port position power pressure price priority process product profile
    project proposal pump quality quantity query queue quote range rate reading receipt record region
    registration remark reminder repair report request reservation result return review role room route
    rule safety salary sample schedule section sensor serial service session setting shift shipment signal
    site size source speed stage station status step stock store street subject summary supplier support
    surname switch system table tag target task team temperature template term test theme thread ticket
    time title token tool topic total tracking training transfer trip type unit update user valve vendor
    version video view visit voltage volume voucher warehouse warranty week weight window worker zone
""")

ACTIONS: tuple[str, ...] = _words("""
    Save Cancel Submit Send OK Apply Close Next Back Continue Confirm Delete Edit Add Create Search Filter
    Reset Refresh Download Upload Print Share Copy Open View Start Stop Pause Resume Login Logout Register
    Subscribe Buy Checkout Book Order Approve Reject Accept Decline Archive Restore Retry Skip Finish
    Publish Preview Connect Disconnect Enable Disable Assign Export Import Sync Test Verify Update Install
    Upgrade Help Reply Forward
""")

FIRST_NAMES: tuple[str, ...] = _words("""
    Ada Alan Amir Ana Anil Beata Bo Carla Chen Clara Dana David Diego Elif Emma Erik Eva Farid Felix Fiona
    Gita Greta Hana Hugo Ines Ivan Jana Jonas Julia Kai Karim Kira Lars Lea Leo Lina Luca Maja Marco Maria
    Mei Mira Nadia Nils Nina Noah Olga Omar Oskar Paula Pavel Petra Priya Rania Rosa Sami Sara Sofia Tariq
    Tina Tom Uma Vera Viktor Wei Yara Yusuf Zoe
""")

LAST_NAMES: tuple[str, ...] = _words("""
    Adler Bauer Berg Brandt Costa Dietz Engel Evans Faber Fischer Garcia Haas Hansen Ito Jensen Jung Kaya
    Keller Kim Klein Koch Kruger Lang Lehmann Lopez Maier Meyer Moreau Novak Okafor Olsen Park Peters
    Popov Rao Reyes Rossi Roth Santos Sato Schmidt Silva Singh Smith Sousa Stein Tanaka Torres Vogel
    Wagner Weber Wolf Yilmaz Young Zhang
""")
